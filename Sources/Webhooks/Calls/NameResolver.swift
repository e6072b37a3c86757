import Common
import Glibc
import NIOPosix

/// The addresses of a name, by the system's resolver. Apart from the HTTP client's own look-up, because what is checked
/// must be what is called.
package struct NameResolver: Sendable {
    package let addresses: @Sendable (String) async throws(WindfireError) -> [IPAddress]

    package init(_ addresses: @escaping @Sendable (String) async throws(WindfireError) -> [IPAddress]) {
        self.addresses = addresses
    }

    /// getaddrinfo(3) blocks for as long as it likes, on a thread for such things. Who stops waiting, because of a
    /// timeout or the end of the process, leaves it behind.
    package static let system = NameResolver { name throws(WindfireError) in
        let (answers, answer) = AsyncStream.makeStream(of: Result<[IPAddress], WindfireError>.self)
        NIOThreadPool.singleton.submit { _ in
            do throws(WindfireError) {
                answer.yield(.success(try lookUp(name)))
            } catch {
                answer.yield(.failure(error))
            }
            answer.finish()
        }
        for await result in answers { return try result.get() }
        throw WindfireError(.backendUnavailable, "the look-up was given up")
    }

    private static func lookUp(_ name: String) throws(WindfireError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            throw WindfireError(
                .backendUnavailable, "the name cannot be looked up: \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = address(of: entry), !addresses.contains(address) { addresses.append(address) }
            next = entry.ai_next
        }
        return addresses
    }

    /// The address bytes of a `sockaddr_in` (offset 4, netinet/in.h) or a `sockaddr_in6` (offset 8).
    private static func address(of entry: addrinfo) -> IPAddress? {
        guard let socketAddress = entry.ai_addr else { return nil }
        let bytes = UnsafeRawBufferPointer(start: socketAddress, count: Int(entry.ai_addrlen))
        switch entry.ai_family {
        case AF_INET where bytes.count >= 8: return IPAddress(bytes: bytes[4..<8])
        case AF_INET6 where bytes.count >= 24: return IPAddress(bytes: bytes[8..<24])
        default: return nil
        }
    }
}
