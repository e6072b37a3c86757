import CHiredis
import NIOCore

/// One command, ready for the wire, so that it can be sent again to another node without being built again.
package struct RedisCommand: Sendable {
    /// The command as RESP.
    let wire: ByteBuffer
    /// Where its keys live; nil when any node will do.
    let slot: Slot?
    /// The script it calls, to be loaded when the node does not know it.
    let script: Script?
    /// How to say it once more when nobody knows whether it was carried out; nil when saying the same is safe.
    var again: (@Sendable () -> RedisCommand)?

    init(_ arguments: CommandArguments, slot: Slot?, script: Script? = nil) {
        wire = arguments.formatted()
        self.slot = slot
        self.script = script
    }

    /// A command of a few short words, such as `PING`.
    package init(_ words: String..., slot: Slot? = nil) {
        var arguments = CommandArguments()
        for word in words { arguments.append(word) }
        self.init(arguments, slot: slot)
    }

    /// A script call: `EVALSHA sha numkeys key… argument…`. All keys must be in one slot.
    init(_ script: Script, keys: [String], _ argumentsOfScript: [String]) {
        self.init(script, keys: keys) { arguments in
            for argument in argumentsOfScript { arguments.append(argument) }
        }
    }

    /// The same, for arguments that are not text.
    init(_ script: Script, keys: [String], _ append: (inout CommandArguments) -> Void) {
        precondition(!keys.isEmpty, "a script names its keys, so that a cluster knows where to run it")
        var arguments = CommandArguments()
        arguments.append("EVALSHA")
        arguments.append(script.digest)
        arguments.append(String(keys.count))
        for key in keys { arguments.append(key) }
        append(&arguments)
        self.init(arguments, slot: Slot(ofKey: keys[0]), script: script)
    }
}

/// The words of a command, back to back, in the form hiredis takes them.
struct CommandArguments {
    private var bytes: [UInt8] = []
    private var lengths: [Int] = []

    init() {}

    init(expecting count: Int, bytesEach: Int) {
        bytes.reserveCapacity(count * bytesEach)
        lengths.reserveCapacity(count)
    }

    mutating func append(_ word: String) {
        let before = bytes.count
        bytes.append(contentsOf: word.utf8)
        lengths.append(bytes.count - before)
    }

    mutating func append(_ word: [UInt8]) {
        bytes.append(contentsOf: word)
        lengths.append(word.count)
    }

    /// `redisFormatCommandArgv`: the form that is not variadic and carries any bytes.
    func formatted() -> ByteBuffer {
        bytes.withUnsafeBytes { raw in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: lengths.count) { words in
                // An empty array may have no address; hiredis then gets lengths of 0 and any address will do.
                var next = raw.bindMemory(to: CChar.self).baseAddress ?? UnsafePointer(bitPattern: 1)
                for (index, length) in lengths.enumerated() {
                    words.initializeElement(at: index, to: next)
                    next = next?.advanced(by: length)
                }
                var formatted: UnsafeMutablePointer<CChar>?
                let count = redisFormatCommandArgv(&formatted, Int32(lengths.count), words.baseAddress, lengths)
                precondition(count > 0, "hiredis could not allocate a command")
                defer { redisFreeCommand(formatted) }
                return ByteBuffer(bytes: UnsafeRawBufferPointer(start: formatted, count: Int(count)))
            }
        }
    }
}
