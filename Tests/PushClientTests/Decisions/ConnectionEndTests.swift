import Testing

@testable import Common
@testable import PushClient

@Suite struct ConnectionEndTests {
    @Test(arguments: CloseReason.all)
    func `each close reason leads where the table says`(reason: CloseReason) {
        let consequence = ConnectionEnd(number: reason.number).consequence
        switch reason.comeBack {
        case .never: #expect(consequence == .giveUp)
        case .withNewToken: #expect(consequence == .fetchToken(after: .zero))
        case .after(let wait):
            let elsewhere = reason == .nodeStopping || reason == .overloaded
            #expect(consequence == .comeBack(after: wait, elsewhere: elsewhere))
        }
    }

    @Test func `the frame's own advice goes before the table`() {
        #expect(ConnectionEnd(number: 4000, advice: .never).consequence == .giveUp)
        #expect(
            ConnectionEnd(number: 4001, advice: .after, retryAfter: .seconds(7)).consequence
                == .comeBack(after: .seconds(7), elsewhere: false))
        #expect(ConnectionEnd(number: 4011, advice: .newToken).consequence == .fetchToken(after: .zero))
    }

    @Test func `the longer of table and frame is waited`() {
        #expect(
            ConnectionEnd(number: 4002, retryAfter: .seconds(1)).consequence
                == .comeBack(after: .seconds(60), elsewhere: false))
    }

    @Test func `a refused upgrade leads to a new token or to another node`() {
        #expect(ConnectionEnd(httpStatus: 401).consequence == .fetchToken(after: .zero))
        #expect(
            ConnectionEnd(httpStatus: 503, retryAfter: .seconds(3)).consequence
                == .comeBack(after: .seconds(3), elsewhere: true))
    }

    @Test func `each end has a name for the application`() {
        #expect(ConnectionEnd.silent.error.kind == .unavailable)
        #expect(ConnectionEnd(number: 4003).error.code == "kicked")
        #expect(ConnectionEnd(number: 4999, name: "newer", message: "m").error.code == "newer")
        #expect(ConnectionEnd(httpStatus: 503, retryAfter: .seconds(3)).error.code == "http_503")
        #expect(ConnectionEnd(httpStatus: 503, retryAfter: .seconds(3)).error.retryAfter == .seconds(3))
        #expect(ConnectionEnd(failure: PushClientError(.untrusted, "")).error.kind == .untrusted)
    }

    @Test func `silence and unknown numbers lead back, the latter carefully`() {
        #expect(ConnectionEnd.silent.consequence == .comeBack(after: .zero, elsewhere: false))
        #expect(ConnectionEnd(number: 4999).consequence == .comeBack(after: .seconds(5), elsewhere: false))
    }
}
