import Testing

@testable import Common

@Suite struct ValueFormTests {
    @Test func `durations have a whole number and a unit`() {
        #expect(DurationText.duration(of: "250ms") == .milliseconds(250))
        #expect(DurationText.duration(of: "10s") == .seconds(10))
        #expect(DurationText.duration(of: "5m") == .seconds(300))
        #expect(DurationText.duration(of: "7d") == .seconds(604_800))
        for text in [
            "", "10", "s", "-1s", "1.5s", "1 s", "1S", "1h30m", "999999999999999999d", "9999999999999999999s", "１s",
        ] {
            #expect(DurationText.duration(of: text) == nil, "\(text)")
        }
    }

    @Test func `sizes have a whole number and a binary unit or none`() {
        #expect(ByteText.bytes(of: "512") == 512)
        #expect(ByteText.bytes(of: "512B") == 512)
        #expect(ByteText.bytes(of: "64KiB") == 65_536)
        #expect(ByteText.bytes(of: "1MiB") == 1_048_576)
        for text in ["", "KiB", "1kb", "1MB", "-1", "0x10", "999999999999999999GiB"] {
            #expect(ByteText.bytes(of: text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["0s", "1ms", "1500ms", "90s", "3m", "1h", "7d"])
    func `a duration is printed as it was written`(text: String) throws {
        #expect(DurationText.text(of: try #require(DurationText.duration(of: text))) == text)
    }

    @Test(arguments: ["0B", "7B", "1500B", "64KiB", "1MiB", "3GiB"])
    func `a size is printed as it was written`(text: String) throws {
        #expect(ByteText.text(of: try #require(ByteText.bytes(of: text))) == text)
    }

    @Test func `addresses are host and port`() {
        #expect(HostPort("127.0.0.1:80") == HostPort(host: "127.0.0.1", port: 80))
        #expect(HostPort(":0") == HostPort(host: "0.0.0.0", port: 0))
        #expect(HostPort("[::1]:80") == HostPort(host: "::1", port: 80))
        #expect(HostPort("[::1]:80")?.description == "[::1]:80")
        for text in [
            "", "80", "h", "h:", "h:65536", "h:-1", "h:+1", "::1:80", "[]:80", "a/b:80", "http://h:80", "h:080000",
        ] {
            #expect(HostPort(text) == nil, "\(text)")
        }
    }

    @Test func `URLs need a scheme of the list and a host`() {
        let form = ValueForm<String>.url(["redis"], or: ["memory:"])
        for text in ["memory:", "redis://h", "redis://u:p@h:1/0"] { #expect(form.parse(text) == text) }
        for text in ["", "memory", "redis:", "redis://", "redis:///0", "http://h", "redis://h x", "redis://h\n"] {
            #expect(form.parse(text) == nil, "\(text)")
        }
    }

    @Test func `a list is empty, or has no empty items`() {
        let form = ValueForm<[String]>.list(of: .text)
        #expect(form.parse("") == [])
        #expect(form.parse("a, b") == ["a", "b"])
        #expect(form.parse("a,,b") == nil)
        #expect(form.parse(",") == nil)
    }

    @Test func `API keys are refused unless name, role and hash stand there`() {
        let hash = String(repeating: "0", count: 64)
        #expect(ConfiguredAPIKey("n:ops:\(hash)")?.description == "n:ops:\(hash)")
        for text in ["", "n:ops", "n:root:\(hash)", ":ops:\(hash)", "n:ops:\(hash)0", "n:ops:\(hash.dropLast())g"] {
            #expect(ConfiguredAPIKey(text) == nil, "\(text)")
        }
    }

    @Test func `the nearest name is near`() {
        let known = ["push.listen", "push.origins", "route.listen"]
        #expect(NearestName.of("push.lisetn", among: known) == "push.listen")
        #expect(NearestName.of("Push.Listen", among: known) == "push.listen")
        #expect(NearestName.of("something-else", among: known) == nil)
        #expect(NearestName.of(String(repeating: "x", count: 10_000), among: known) == nil)
        #expect(NearestName.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
        #expect(NearestName.distance(Array("ab".utf8), Array("ba".utf8)) == 1)
    }
}
