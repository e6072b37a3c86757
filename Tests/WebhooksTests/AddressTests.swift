import Common
import Testing

@testable import Webhooks

/// Which URLs are taken, and which of a name's addresses are called.
@Suite struct AddressTests {
    private func refusal(_ url: String, allowsPrivate: Bool = false) -> String? {
        do throws(WindfireError) {
            _ = try WebhookAddress(url, key: "webhooks.offline-url", allowsPrivate: allowsPrivate)
            return nil
        } catch {
            #expect(error.code == .configurationInvalid)
            return error.message
        }
    }

    @Test func aURLIsReadIntoItsParts() throws {
        let plain = try WebhookAddress("https://Hooks.Example/a/b?c=d", key: "k", allowsPrivate: false)
        #expect((plain.isTLS, plain.host, plain.port, plain.path) == (true, "hooks.example", 443, "/a/b?c=d"))
        #expect(plain.url == "https://hooks.example:443/a/b?c=d")
        #expect("\(plain)" == "https://hooks.example:443", "path and query may hold secrets")
        let query = try WebhookAddress("http://hooks.example:8080?x", key: "k", allowsPrivate: false)
        #expect((query.port, query.path) == (8_080, "/?x"))
        let six = try WebhookAddress("http://[2606:4700::1111]:81/", key: "k", allowsPrivate: false)
        #expect((six.host, six.port, six.url) == ("2606:4700::1111", 81, "http://[2606:4700::1111]:81/"))
    }

    @Test(arguments: [
        "http://127.0.0.1/", "http://127.9.9.9:8080/x", "http://[::1]/", "http://0.0.0.0/", "http://[::]/",
        "http://169.254.169.254/latest/meta-data/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/",
        "http://100.100.100.200/", "http://168.63.129.16/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://[::ffff:10.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fd00:ec2::254]/", "http://[fe80::1]/",
        "http://[ff02::1]/", "http://[64:ff9b::10.0.0.1]/", "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/",
    ])
    func privateLiteralsAreRefusedByNameUnlessAllowed(_ url: String) throws {
        #expect(try #require(refusal(url)).contains("a private or reserved address; webhooks.allow-private"))
        #expect(refusal(url, allowsPrivate: true) == nil)
    }

    @Test(arguments: [
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://127.1/", "http://017700000001/",
        "http://0177.0.0.1/", "http://127.0.0.1.1/", "http://localhost.0x1/", "http://256.256.256.256/",
    ])
    func otherFormsOfAddressesAreRefusedAlways(_ url: String) throws {
        for allowsPrivate in [false, true] {
            #expect(try #require(refusal(url, allowsPrivate: allowsPrivate)).contains("in another form"))
        }
    }

    @Test(arguments: [
        "", "hooks.example", "ftp://hooks.example/", "HTTP//x", "http://", "http:///x", "http://:80/",
        "http://user@hooks.example/", "http://hooks.example@127.0.0.1/", "http://hooks.example:0/",
        "http://hooks.example:65536/", "http://hooks.example:/", "http://hooks.example:8x/", "http://hooks.example/#x",
        "http://hooks.example\\@127.0.0.1/", "http://hooks exam/", "http://höks.example/", "http://hooks..example/",
        "http://.hooks/", "http://hooks.example./", "http://[::1/", "http://[::1]x/", "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/", "http://hooks%2eexample/", "http://hooks.example/\u{7F}",
    ])
    func whatParsersCouldReadDifferentlyIsRefused(_ url: String) {
        #expect(refusal(url, allowsPrivate: true) != nil)
    }

    @Test func aLengthIsBounded() {
        let path = { String(repeating: "x", count: 2_048 - "http://h.example/".utf8.count + $0) }
        #expect(refusal("http://h.example/" + path(0)) == nil)
        #expect(refusal("http://h.example/" + path(1)) != nil)
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func onePrivateAddressAmongPublicOnesSpoilsTheName() throws {
        let (open, inner) = (try address("93.184.216.34"), try address("10.0.0.1"))
        #expect(AddressChoice([open], current: nil, allowsPrivate: false) == .call(open))
        #expect(
            AddressChoice([open, inner], current: open, allowsPrivate: false) == .refuse(reason: "private_address"))
        #expect(AddressChoice([inner], current: nil, allowsPrivate: true) == .call(inner))
        #expect(AddressChoice([], current: open, allowsPrivate: true) == .refuse(reason: "no_address"))
    }

    @Test func theAddressCalledLastStaysWhileTheNameHasIt() throws {
        let (one, two) = (try address("93.184.216.34"), try address("93.184.216.35"))
        #expect(AddressChoice([one, two], current: two, allowsPrivate: false) == .call(two))
        #expect(AddressChoice([one], current: two, allowsPrivate: false) == .call(one))
    }

    @Test func anAddressWhereNobodyAnswersMakesRoomForTheNext() throws {
        let (one, two) = (try address("93.184.216.34"), try address("93.184.216.35"))
        #expect(AddressChoice([one, two], current: one, isSilent: true, allowsPrivate: false) == .call(two))
        #expect(AddressChoice([one, two], current: two, isSilent: true, allowsPrivate: false) == .call(one))
        #expect(AddressChoice([one], current: one, isSilent: true, allowsPrivate: false) == .call(one))
        #expect(AddressChoice([two], current: one, isSilent: true, allowsPrivate: false) == .call(two))
    }
}
