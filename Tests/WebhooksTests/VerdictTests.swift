import Testing

@testable import Webhooks

/// What an answer means.
@Suite struct VerdictTests {
    private func verdict(_ status: Int, _ retryAfter: String? = nil) -> WebhookVerdict {
        // 1994-11-06 08:49:00 UTC, 37 seconds before the RFC's example.
        WebhookVerdict(status: status, retryAfter: retryAfter, unixSeconds: 784_111_740)
    }

    @Test func anyTwoHundredIsAccepted() {
        for status in [200, 201, 202, 204, 299] { #expect(verdict(status) == .accepted) }
    }

    @Test func troubleThatPassesIsTriedAgain() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            #expect(verdict(status) == .again(reason: "status_\(status)", after: nil))
        }
    }

    @Test func whatWouldFailTheSameWayIsGivenUp() {
        for status in [400, 401, 403, 404, 409, 410, 413, 422, 451] {
            #expect(verdict(status, "1") == .giveUp(reason: "status_\(status)"))
        }
        for status in [301, 302, 303, 307, 308] { #expect(verdict(status) == .giveUp(reason: "redirect")) }
    }

    @Test func retryAfterIsSecondsOrADate() {
        #expect(verdict(429, "120") == .again(reason: "status_429", after: .seconds(120)))
        // The example of RFC 9110, section 5.6.7.
        #expect(verdict(503, "Sun, 06 Nov 1994 08:49:37 GMT") == .again(reason: "status_503", after: .seconds(37)))
        #expect(verdict(503, "Sun, 06 Nov 1994 08:48:00 GMT") == .again(reason: "status_503", after: .zero))
    }

    @Test(arguments: [
        "", "-1", "1.5", "soon", "9999999999", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
    ])
    func whatIsNeitherIsIgnored(_ text: String) {
        #expect(verdict(503, text) == .again(reason: "status_503", after: nil))
    }

    /// `date -u -d '…' +%s` of coreutils gave these.
    @Test func datesAreThoseOfTheCalendar() {
        #expect(HTTPDelay.date("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDelay.date("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDelay.date("Tue, 29 Feb 2000 12:00:00 GMT") == 951_825_600)
        #expect(HTTPDelay.date("Fri, 31 Dec 2027 23:59:59 GMT") == 1_830_297_599)
    }
}
