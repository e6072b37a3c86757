import Testing

@testable import PushClient

@Suite struct RecentIDsTests {
    @Test func `an id is new once, until it was pushed out by as many as fit`() {
        var recent = RecentIDs()
        #expect(recent.insert("a") == true)
        #expect(recent.insert("a") == false)
        for number in 1..<RecentIDs.countMax { #expect(recent.insert("\(number)") == true) }
        #expect(recent.insert("a") == false)
        #expect(recent.insert("one more") == true)
        #expect(recent.insert("a") == true)
        #expect(recent.insert("one more") == false)
    }
}
