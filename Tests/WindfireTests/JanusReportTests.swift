import Testing

@testable import Windfire

@Suite struct JanusReportTests {
    @Test func `times fall into half seconds, and who saw nothing is bad`() {
        let times: [Duration] = [.zero, .milliseconds(499), .milliseconds(500), .milliseconds(4_999), .seconds(5)]
        let report = JanusReport(bots: 7, setup: .milliseconds(1_500), run: .seconds(5), times: times)
        #expect(report.good == 5)
        #expect(report.bad == 2)
        #expect(report.buckets == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2])
        #expect(report.smallest_ms == 0)
        #expect(report.largest_ms == 5_000)
        #expect(report.setup_s == 1.5)
    }

    @Test func `a run in which nobody was good has neither a smallest nor a largest`() {
        let report = JanusReport(bots: 1, setup: .zero, run: .seconds(5), times: [])
        #expect(report.smallest_ms == nil)
        #expect(report.largest_ms == nil)
        #expect(report.text.contains("bad"))
    }

    @Test func `the message is hotwheels' own`() {
        #expect(
            JanusTally.members(of: "events") == #""topic":"events","event":"test_event","message_id":"","data":"test""#)
        #expect(JanusTally.quoted(#"a"b\"#) == #""a\"b\\""#)
    }
}
