import Common

/// Where a connection to a checked address of a name is opened: at that address. A test hands in another route, so that
/// what would be dialled on the internet is seen, and stays on the machine.
package struct AddressRoute: Sendable {
    package let target: @Sendable (IPAddress) -> IPAddress

    package init(_ target: @escaping @Sendable (IPAddress) -> IPAddress) { self.target = target }

    package static let direct = AddressRoute { $0 }
}
