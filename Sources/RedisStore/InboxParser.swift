import Common
import NIOCore

/// Reads what the scripts on inboxes answer. What is not in our form is left out and counted, or makes the whole answer
/// nil; never a crash.
struct InboxParser {
    /// Entries that were none of ours.
    private(set) var corruptCount = 0

    /// `{last id, 1 if more, trimmed, {entry, …}, id it begins after}`.
    mutating func page(_ value: RESPValue) -> InboxPage? {
        guard let fields = value.array, fields.count == 5,
            let last = fields[0].text.flatMap({ StreamPosition($0) }), let more = fields[1].integer,
            let trimmed = fields[2].integer, let entries = fields[3].array,
            let after = fields[4].text.flatMap({ StreamPosition($0) })
        else { return nil }
        var messages: [InboxEntry] = []
        messages.reserveCapacity(entries.count)
        var previous = after == .start ? nil : after
        for entry in entries {
            guard let (id, message) = message(entry) else {
                corruptCount += 1
                continue
            }
            messages.append(InboxEntry(id: id, previous: previous, message: message))
            previous = id
        }
        return InboxPage(
            messages: messages, isMore: more == 1, trimmed: Int(clamping: max(0, trimmed)),
            upTo: last == .start ? nil : last)
    }

    /// `{id, {field, value, …}}`, as XRANGE gives it; the fields stand in inbox.lua.
    private func message(_ entry: RESPValue) -> (StreamPosition, StoredMessage)? {
        guard let parts = entry.array, parts.count == 2, let id = parts[0].text.flatMap({ StreamPosition($0) }),
            let fields = parts[1].array, fields.count.isMultiple(of: 2)
        else { return nil }
        var push: UUIDv7?
        var data: [UInt8]?
        var (time, end): (UInt64?, UInt64?)
        var message = StoredMessage(
            push: UUIDv7(unixMilliseconds: 0, random: (0, 0)), data: [], timestampMilliseconds: 0,
            expiresAtMilliseconds: 0)
        for index in stride(from: 0, to: fields.count, by: 2) {
            guard let name = fields[index].text else { return nil }
            let value = fields[index + 1]
            if name == "d" {
                guard case .bulk(let bytes) = value else { return nil }
                data = Array(bytes.readableBytesView)
                continue
            }
            guard let text = value.text else { return nil }
            switch name {
            case "p": push = UUIDv7(text)
            case "t": time = UInt64(text)
            case "x": end = UInt64(text)
            case "k": message.collapseKey = text
            case "f": message.from = try? ClientID(text)
            case "j": message.job = try? JobID(text)
            case "r": message.traceID = text
            // Of a later version.
            default: break
            }
        }
        guard let push, let data, let time, let end else { return nil }
        message.push = push
        message.data = data
        message.timestampMilliseconds = time
        message.expiresAtMilliseconds = end
        return (id, message)
    }

    /// One line per device: `device|cursor|trimmed|seen`. Devices that take no stored messages are left out.
    mutating func devices(_ text: String) -> [InboxDevice] {
        var devices: [InboxDevice] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count == 4, let device = try? DeviceID(String(parts[0])), let trimmed = Int(parts[2]),
                let seen = UInt64(parts[3])
            else {
                corruptCount += 1
                continue
            }
            if parts[1] == "-" { continue }
            guard let cursor = StreamPosition(parts[1]) else {
                corruptCount += 1
                continue
            }
            devices.append(
                InboxDevice(device: device, cursor: cursor, trimmed: trimmed, seenAtMilliseconds: seen))
        }
        return devices
    }
}
