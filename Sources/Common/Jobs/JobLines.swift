// How databases keep lists of clients: lines of text in one value per chunk. A row per client would be a thousand times
// as many rows, and no query ever asks for one of them. No client id holds a control character, so newline and tab
// separate; and `SELECT` shows a person what is there.

package enum JobLines {
    package static func encode(_ clients: [ClientID]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(clients.reduce(clients.count) { $0 + $1.text.utf8.count })
        for client in clients {
            if !bytes.isEmpty { bytes.append(newline) }
            bytes.append(contentsOf: client.text.utf8)
        }
        return bytes
    }

    package static func clients(_ bytes: some Collection<UInt8>) -> [ClientID] {
        bytes.split(separator: newline).map { ClientID(unchecked: String(decoding: $0, as: UTF8.self)) }
    }

    /// `client`, a tab, and `offline`, `stored`, `not_tried`, or `failed:` with the failure's name.
    package static func encode(_ rows: [Undelivered]) -> [UInt8] {
        var bytes: [UInt8] = []
        for row in rows {
            if !bytes.isEmpty { bytes.append(newline) }
            bytes.append(contentsOf: row.client.text.utf8)
            bytes.append(tab)
            switch row.reason {
            case .offline: bytes.append(contentsOf: "offline".utf8)
            case .stored: bytes.append(contentsOf: "stored".utf8)
            case .notTried: bytes.append(contentsOf: "not_tried".utf8)
            case .failed(let name):
                bytes.append(contentsOf: "failed:".utf8)
                // Names are ours, of lower-case letters and underscores; anything else would break the lines.
                bytes.append(contentsOf: name.utf8.filter { $0 > 0x20 && $0 < 0x7F })
            }
        }
        return bytes
    }

    /// Lines that are none of these, written by a later version perhaps, count as failed.
    package static func undelivered(_ bytes: some Collection<UInt8>) -> [Undelivered] {
        bytes.split(separator: newline).map { line in
            let parts = line.split(separator: tab, maxSplits: 1)
            let client = ClientID(unchecked: String(decoding: parts.first ?? line, as: UTF8.self))
            let word = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
            let reason: Undelivered.Reason =
                switch word {
                case "offline": .offline
                case "stored": .stored
                case "not_tried": .notTried
                default: .failed(word.hasPrefix("failed:") ? String(word.dropFirst(7)) : word)
                }
            return Undelivered(client: client, reason: reason)
        }
    }

    private static let newline = UInt8(ascii: "\n")
    private static let tab = UInt8(ascii: "\t")
}
