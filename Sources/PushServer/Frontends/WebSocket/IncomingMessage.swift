import Common
import NIOCore
import PushCore

/// A message while its frames arrive. A class, so that an idle connection pays one pointer for it.
final class IncomingMessage {
    let isText: Bool
    private(set) var payload = ByteBuffer()
    private(set) var frameCount = 0
    private(set) var isFinal = false
    private var mask: UInt32 = 0
    private var frameLength = 0
    private var taken = 0
    private var validator = UTF8Validator()
    private var checked = 0

    init(isText: Bool) { self.isText = isText }

    /// Whether payload of the present frame is still to come.
    var isInsideFrame: Bool { taken < frameLength }

    /// Whether the text may end here.
    var isValidText: Bool { !isText || validator.isComplete }

    func begin(_ header: WebSocketFrameHeader, bytesMax: Int) throws(WireError) {
        // Told before a byte of it is stored: the length alone is enough.
        guard header.payloadLength <= bytesMax - payload.readableBytes else {
            throw WireError(.tooLarge, "a message is too large")
        }
        frameCount += 1
        isFinal = header.isFinal
        mask = header.mask
        frameLength = header.payloadLength
        taken = 0
    }

    func takePayload(from bytes: inout ByteBuffer) {
        guard var part = bytes.readSlice(length: min(bytes.readableBytes, frameLength - taken)) else { return }
        part.unmask(mask, phase: taken)
        taken += part.readableBytes
        // The usual message is one frame in one read: then it is the slice itself.
        if payload.readableBytes == 0 { payload = part } else { payload.writeBuffer(&part) }
    }

    /// Checks what came since the last call.
    func checkText() throws(WireError) {
        guard isText else { return }
        let isValid = payload.withUnsafeReadableBytes { bytes in
            validator.accept(.init(rebasing: bytes.dropFirst(checked)))
        }
        checked = payload.readableBytes
        guard isValid else { throw WireError(.invalidText, "a text message is not UTF-8") }
    }
}
