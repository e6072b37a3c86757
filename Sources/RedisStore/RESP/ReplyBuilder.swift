import CHiredis
import NIOCore

/// Collects the elements of one reply as hiredis meets them, depth first, and makes a `RESPValue` of them at the end.
final class ReplyBuilder {
    private enum Element {
        case null
        case integer(Int64)
        /// A range of `bytes`.
        case status(at: Int, count: Int)
        case bulk(at: Int, count: Int)
        case error(at: Int, count: Int)
        /// How many elements follow that belong to it, not counting theirs.
        case array(count: Int)
    }

    private let elementsMax: Int
    private var elements: [Element] = []
    private var bytes = ByteBuffer()
    /// Why a function answered NULL, which hiredis reports as "out of memory".
    private(set) var refusal: String?

    init(elementsMax: Int) { self.elementsMax = elementsMax }

    /// Bytes of strings held for the reply that is being read.
    var byteCount: Int { bytes.readableBytes }

    /// The reply that is complete now; the builder is empty afterwards.
    func take() -> RESPValue {
        var position = 0
        let value = value(at: &position)
        elements.removeAll(keepingCapacity: elements.count <= 4096)
        // Slices of the old buffer are in `value`; writing to it again would copy them.
        if bytes.readableBytes > 0 { bytes = ByteBuffer() }
        return value
    }

    private func value(at position: inout Int) -> RESPValue {
        let element = elements[position]
        position += 1
        switch element {
        case .null: return .null
        case .integer(let value): return .integer(value)
        case .status(let at, let count): return .status(bytes.getString(at: at, length: count) ?? "")
        case .bulk(let at, let count): return .bulk(bytes.getSlice(at: at, length: count) ?? ByteBuffer())
        case .error(let at, let count):
            return .error(RedisReplyError(bytes.getString(at: at, length: count) ?? ""))
        case .array(let count):
            var values: [RESPValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(value(at: &position)) }
            return .array(values)
        }
    }

    private func add(_ element: Element) -> UnsafeMutableRawPointer? {
        guard elements.count < elementsMax else {
            refusal = "a reply has more than \(elementsMax) elements"
            return nil
        }
        elements.append(element)
        return Self.present
    }

    private func addText(_ type: Int32, _ text: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeMutableRawPointer?
    {
        let at = bytes.writerIndex
        bytes.writeBytes(UnsafeRawBufferPointer(start: text, count: count))
        switch type {
        case REDIS_REPLY_STATUS: return add(.status(at: at, count: count))
        case REDIS_REPLY_ERROR: return add(.error(at: at, count: count))
        default: return add(.bulk(at: at, count: count))
        }
    }

    private func addArray(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count <= elementsMax else {
            refusal = "a reply has more than \(elementsMax) elements"
            return nil
        }
        return add(.array(count: count))
    }

    // MARK: hiredis's side

    /// hiredis takes NULL for "out of memory" and hands everything else back untouched; nothing is ever dereferenced.
    nonisolated(unsafe) private static let present = UnsafeMutableRawPointer(bitPattern: 1)

    /// Written once, here; hiredis only reads it.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, text, count in builder(of: task)?.addText(task?.pointee.type ?? 0, text, count) },
                createArray: { task, count in builder(of: task)?.addArray(Int(count)) },
                createInteger: { task, value in builder(of: task)?.add(.integer(value)) },
                createNil: { task in builder(of: task)?.add(.null) },
                freeObject: { _ in }))
        return functions
    }()

    /// hiredis copies the reader's `privdata`, which `ReplyReader.init` set, into each task.
    private static func builder(of task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
        guard let privdata = task?.pointee.privdata else { return nil }
        return Unmanaged<ReplyBuilder>.fromOpaque(privdata).takeUnretainedValue()
    }
}
