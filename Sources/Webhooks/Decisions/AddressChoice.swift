import Common

/// Which of a name's addresses is called. Pure.
enum AddressChoice: Equatable {
    case call(IPAddress)
    case refuse(reason: String)

    /// All of them are looked at, not only the one that is called: a name that has one private address among public
    /// ones is either misconfigured or somebody's try.
    ///
    /// - Parameter current: the one called last; it stays while the name has it, and its connection with it.
    init(_ addresses: [IPAddress], current: IPAddress?, allowsPrivate: Bool) {
        guard let first = addresses.first else {
            self = .refuse(reason: "no_address")
            return
        }
        guard allowsPrivate || addresses.allSatisfy(\.isPublic) else {
            self = .refuse(reason: "private_address")
            return
        }
        self = .call(current.flatMap { addresses.contains($0) ? $0 : nil } ?? first)
    }
}
