import Testing

@testable import Common

@Suite struct JobValuesTests {
    @Test(arguments: [
        "", "018bcfe5-6800-7000-8000-00000000000", "018bcfe5-6800-7000-8000-0000000000000",
        "018bcfe5-6800-4000-8000-000000000000", "018bcfe5-6800-7000-c000-000000000000",
        "018bcfe568007000-8000-000000000000-", "018bcfe5-6800-7000-8000-00000000000g",
        "018bcfe5 6800 7000 8000 000000000000", "+18bcfe5-6800-7000-8000-000000000000",
    ])
    func aTextThatIsNoUUIDv7IsNoJobID(_ text: String) {
        let error = #expect(throws: WindfireError.self) { try JobID(text) }
        #expect(error?.code == .invalidID)
    }

    @Test func aJobIDComesBackFromItsTextAndItsBytes() throws {
        let id = JobID(UUIDv7(unixMilliseconds: 1_700_000_000_000, random: (.max, 0x1234_5678_9ABC_DEF0)))
        #expect(id.description == "018bcfe5-6800-7fff-9234-56789abcdef0")
        #expect(try JobID(id.description) == id)
        #expect(try JobID(id.description.uppercased()) == id)
        #expect(id.bytes.prefix(6) == [0x01, 0x8B, 0xCF, 0xE5, 0x68, 0x00])
        #expect(JobID(bytes: id.bytes) == id)
        #expect(JobID(bytes: id.bytes.dropLast()) == nil)
        #expect(JobID(bytes: [UInt8](repeating: 0, count: 16)) == nil)
    }

    @Test func jobIDsSortAsTheirBytesDo() {
        let ids = (0..<5).map { JobID(UUIDv7(unixMilliseconds: $0 << 20, random: (UInt64(9 - $0), 0))) }
        #expect(ids.shuffled().sorted() == ids)
        for (left, right) in zip(ids, ids.dropFirst()) { #expect(left.bytes.lexicographicallyPrecedes(right.bytes)) }
    }

    @Test func placesGoRoundInTurnUntilNobodyHasMore() {
        #expect(FairShare.allot(5, among: [10, 1, 10]) == [2, 1, 2])
        #expect(FairShare.allot(2, among: [10, 10, 10]) == [1, 1, 0])
        #expect(FairShare.allot(100, among: [1, 0, 3]) == [1, 0, 3])
        #expect(FairShare.allot(0, among: [1]) == [0])
        #expect(FairShare.allot(3, among: []) == [])
    }

    @Test func linesOfALaterVersionCountAsFailed() {
        let lines = "a\toffline\nb\tstored\nc\tnot_tried\nd\tfailed:node_unavailable\ne\tsleeping\nf"
        #expect(
            JobLines.undelivered(Array(lines.utf8)) == [
                Undelivered(client: ClientID(unchecked: "a"), reason: .offline),
                Undelivered(client: ClientID(unchecked: "b"), reason: .stored),
                Undelivered(client: ClientID(unchecked: "c"), reason: .notTried),
                Undelivered(client: ClientID(unchecked: "d"), reason: .failed("node_unavailable")),
                Undelivered(client: ClientID(unchecked: "e"), reason: .failed("sleeping")),
                Undelivered(client: ClientID(unchecked: "f"), reason: .failed("")),
            ])
    }

    @Test func aFailureNameCannotBreakTheLines() {
        let row = Undelivered(client: ClientID(unchecked: "a"), reason: .failed("x\ny\tz\u{1}"))
        #expect(
            JobLines.undelivered(JobLines.encode([row, row])).map(\.reason) == [.failed("xyz"), .failed("xyz")])
    }

    @Test(arguments: [
        ("memory:", JobStoreAddress.memory), ("sqlite:jobs.sqlite", .sqlite(path: "jobs.sqlite")),
        ("sqlite:/var/lib/windfire/jobs.sqlite", .sqlite(path: "/var/lib/windfire/jobs.sqlite")),
        ("mysql://u:p@h:3306/d?tls=verify", .mysql(url: "mysql://u:p@h:3306/d?tls=verify")),
    ])
    func anAddressNamesItsStore(_ text: String, _ address: JobStoreAddress) {
        #expect(JobStoreAddress(text) == address)
    }

    @Test(arguments: [
        "", "memory", "memory:x", "sqlite:", "sqlite://host/x", "redis://h", "mysql:", "mysql://", "mysql:///d",
        "mysql://u:p@h/a b",
    ])
    func anAddressOfNoStoreIsRefused(_ text: String) { #expect(JobStoreAddress(text) == nil) }

    @Test(arguments: [
        ("mysql://u:hush@h/d", "mysql://u:********@h/d"), ("mysql://u@h/d", "mysql://u@h/d"),
        // Characters that a password may only have encoded: wrong, and hidden all the same.
        ("mysql://u:hu?s@h/@h/d", "mysql://u:********@h/d"), ("mysql://u:hush:@h/d", "mysql://u:********@h/d"),
        ("sqlite:a@b", "sqlite:a@b"),
    ])
    func anAddressIsShownWithoutItsPassword(_ text: String, _ shown: String) throws {
        #expect(try #require(JobStoreAddress(text)).description == shown)
        let key = try #require(ConfigurationTable.definitions.first { $0.name == "route.jobs" })
        #expect(key.shown(text) == shown)
    }
}
