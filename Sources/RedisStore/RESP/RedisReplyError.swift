/// An error reply. The first word is what programs match on, the rest is for people.
package struct RedisReplyError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }

    package var description: String { text }

    /// What kind of refusal it is, as far as the client acts on it.
    package enum Kind: Equatable, Sendable {
        /// The slot belongs to another node for good (Redis Cluster specification, "MOVED redirection").
        case moved(Slot, RedisAddress)
        /// This one key is on another node already, because its slot is being migrated ("ASK redirection").
        case ask(Slot, RedisAddress)
        /// Some keys of the command are here and some there; over when the slot's migration is.
        case tryAgain
        /// The cluster does not serve this slot now, usually because a master was just lost.
        case clusterDown
        /// The server is reading its data set from disk.
        case loading
        /// A replica that has lost its master and was told not to answer.
        case masterDown
        /// The server does not know the script; load it and call again.
        case noScript
        /// The server was demoted to a replica: this connection leads to the wrong machine.
        case readOnly
        /// The server wants a user and password, or did not accept the ones given, or the user may not do this.
        case notAuthorized
        case other
    }

    package var kind: Kind {
        let words = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
        switch words.first {
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = UInt16(words[1]).flatMap(Slot.init(exactly:)),
                let address = RedisAddress(endpoint: words[2])
            else { return .other }
            return words[0] == "MOVED" ? .moved(slot, address) : .ask(slot, address)
        case "TRYAGAIN": return .tryAgain
        case "CLUSTERDOWN": return .clusterDown
        case "LOADING": return .loading
        case "MASTERDOWN": return .masterDown
        case "NOSCRIPT": return .noScript
        case "READONLY": return .readOnly
        case "NOAUTH", "WRONGPASS", "NOPERM": return .notAuthorized
        // Before Redis 6, and for AUTH without any password configured.
        case "ERR" where text.contains("invalid password") || text.contains("AUTH"): return .notAuthorized
        default: return .other
        }
    }
}
