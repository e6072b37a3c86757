import Common

/// Which of a name's addresses is called. Pure.
enum AddressChoice: Equatable {
    case call(IPAddress)
    case refuse(reason: String)

    /// All of them are looked at, not only the one that is called: a name that has one private address among public
    /// ones is either misconfigured or somebody's try.
    ///
    /// - Parameters:
    ///   - current: the one called last; it stays while the name has it, and its connection with it.
    ///   - isSilent: nobody answered there; the name's next address gets its turn.
    init(_ addresses: [IPAddress], current: IPAddress?, isSilent: Bool = false, allowsPrivate: Bool) {
        guard let first = addresses.first else {
            self = .refuse(reason: "no_address")
            return
        }
        guard allowsPrivate || addresses.allSatisfy(\.isPublic) else {
            self = .refuse(reason: "private_address")
            return
        }
        guard let place = current.flatMap({ addresses.firstIndex(of: $0) }) else {
            self = .call(first)
            return
        }
        self = .call(addresses[isSilent ? (place + 1) % addresses.count : place])
    }
}
