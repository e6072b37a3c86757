import Common
import NIOCore
import Testing

@testable import PushServer

struct AdmissionTests {
    private let a = IPAddress(ipv4: 0x0A00_0001)
    private let b = IPAddress(ipv4: 0x0A00_0002)
    private let start = NIODeadline.uptimeNanoseconds(9_000_000_000)

    private func admission(node: Int = 1000, address: Int = 2, connectionsMax: Int = 10) -> Admission {
        var limits = Limits.default
        limits.acceptsPerSecondMax = 10
        limits.acceptsBurstMax = node
        limits.connectsPerAddressPerSecondMax = 20
        limits.connectsPerAddressBurstMax = address
        return Admission(limits: limits, connectionsMax: connectionsMax)
    }

    @Test func anAddressHasItsPace() {
        var admission = admission()
        #expect(admission.decide(address: a, open: 0, now: start) == .admit)
        #expect(admission.decide(address: a, open: 0, now: start) == .admit)
        #expect(admission.decide(address: a, open: 0, now: start) == .refuse(retryAfter: .milliseconds(50)))
        #expect(admission.decide(address: b, open: 0, now: start) == .admit)
        #expect(admission.decide(address: a, open: 0, now: start + .milliseconds(50)) == .admit)
    }

    @Test func loopbackHasThePaceOfTheNodeAlone() {
        var admission = admission(node: 5)
        for _ in 0..<5 { #expect(admission.decide(address: nil, open: 0, now: start) == .admit) }
        #expect(admission.decide(address: nil, open: 0, now: start) == .refuse(retryAfter: .milliseconds(100)))
        #expect(admission.addressCount == 0)
        #expect(admission.decide(address: nil, open: 0, now: start + .milliseconds(100)) == .admit)
    }

    @Test func openConnectionsAreBounded() {
        var admission = admission()
        #expect(admission.decide(address: nil, open: 9, now: start) == .admit)
        #expect(admission.decide(address: nil, open: 10, now: start) == .refuse(retryAfter: .seconds(5)))
    }

    @Test func aFullTableIsSweptOfThoseAtRest() {
        var admission = admission(node: 100_000)
        for number in 0..<Admission.addressesMax {
            _ = admission.decide(address: IPAddress(ipv4: UInt32(number)), open: 0, now: start)
        }
        #expect(admission.addressCount == Admission.addressesMax)
        _ = admission.decide(address: IPAddress(ipv4: .max), open: 0, now: start + .seconds(1))
        #expect(admission.addressCount == 1)
    }

    @Test func aFullTableOfBusyAddressesStartsAfresh() {
        var admission = admission(node: 100_000)
        for number in 0...Admission.addressesMax {
            _ = admission.decide(address: IPAddress(ipv4: UInt32(number)), open: 0, now: start)
        }
        #expect(admission.addressCount == 1)
    }

    @Test(arguments: [
        ("node:4500", "node", 4500), ("10.0.0.1:1", "10.0.0.1", 1), ("[::1]:80", "::1", 80),
        ("ws://node:4500/v1/connect", "node", 4500), ("ws://node/v1/connect", "node", 80),
        ("wss://node/v1/connect?a=b:1", "node", 443), ("wss://[::1]/x", "::1", 443), ("wss://[::1]:9/x", "::1", 9),
    ])
    func addressesAreTakenApart(_ address: String, _ host: String, _ port: Int) throws {
        let authority = try #require(NodeAddresses.authority(of: address))
        #expect(authority.host == host)
        #expect(authority.port == port)
    }

    @Test(arguments: ["", "node", ":80", "node:0", "node:65536", "node:x", "ws:///path"])
    func isNoAddress(_ address: String) { #expect(NodeAddresses.authority(of: address) == nil) }
}
