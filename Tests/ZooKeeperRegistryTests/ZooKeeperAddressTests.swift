import Common
import Testing

@testable import ZooKeeperRegistry

@Suite("Addresses of ZooKeeper")
struct ZooKeeperAddressTests {
    @Test("Servers, base path and credentials")
    func whole() throws {
        let address = try ZooKeeperAddress("zk://user:p@ss/w:rd@h1:2181,h2,[::1]:99,10.0.0.1/a/b.c")
        #expect(address.servers == ["h1:2181", "h2:2181", "[::1]:99", "10.0.0.1:2181"])
        #expect(address.basePath == "/a/b.c")
        #expect(address.credentials == .init(user: "user", password: "p@ss/w:rd"))
        #expect(address.connectString == "h1:2181,h2:2181,[::1]:99,10.0.0.1:2181")
        #expect("\(address)".contains("p@ss") == false)
    }

    @Test("The base path is /windfire unless it is given, and may be the root")
    func basePath() throws {
        #expect(try ZooKeeperAddress("zk://h").basePath == "/windfire")
        #expect(try ZooKeeperAddress("zk://h/").basePath == "")
        #expect(try ZooKeeperAddress("zk://h/x").basePath == "/x")
        #expect(try ZooKeeperAddress("zk://h/x").credentials == nil)
    }

    @Test(
        "What is not an address is refused, without repeating it",
        arguments: [
            "", "zk:", "redis://h", "zk://", "zk://h1,,h2", "zk://h1:0", "zk://h1:65536", "zk://h1:x", "zk://:2181",
            "zk://secret@h1", "zk://user:@h1", "zk://:secret@h1", "zk://h1//a", "zk://h1/a/", "zk://h1/a/../b",
            "zk://h1/ä",
            "zk://h 1", "zk://[::1", "zk://[::1]x",
        ])
    func refused(text: String) {
        let error = #expect(throws: WindfireError.self) { try ZooKeeperAddress(text) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.description.contains("secret") == false)
    }
}
