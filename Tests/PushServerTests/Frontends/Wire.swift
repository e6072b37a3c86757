import Common
import NIOCore
import PushCore

@testable import PushServer

/// Frames as a client writes them, and what a front-end makes of them.
enum Wire {
    static let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// A masked frame in the shortest length form, unless told otherwise.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        header(opcode, length: payload.count, isFinal: isFinal)
            + payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    }

    static func header(_ opcode: UInt8, length: Int, isFinal: Bool = true) -> [UInt8] {
        let first = (isFinal ? 0x80 : 0) | opcode
        switch length {
        case ...125: return [first, 0x80 | UInt8(length)] + mask
        case ...0xFFFF: return [first, 0xFE, UInt8(length >> 8), UInt8(length & 0xFF)] + mask
        default: return [first, 0xFF] + (0..<8).map { UInt8(length >> (56 - 8 * $0) & 0xFF) } + mask
        }
    }

    static func text(_ text: String, isFinal: Bool = true) -> [UInt8] { frame(1, Array(text.utf8), isFinal: isFinal) }

    static func echo(bytesMax: Int = 1000, fragmentsMax: Int = 8) -> WebSocketFrontend<EchoSubprotocol> {
        WebSocketFrontend(
            limits: WebSocketLimits(messageBytesMax: bytesMax, fragmentsMax: fragmentsMax),
            subprotocol: EchoSubprotocol())
    }

    /// What the echo endpoint says to parts that arrive one after another; a broken protocol ends the list.
    static func outcome(_ parts: [[UInt8]], frontend: WebSocketFrontend<EchoSubprotocol> = echo()) -> Outcome {
        var frontend = frontend
        var events: [SessionEvent] = []
        var bytes = ByteBuffer()
        do throws(WireError) {
            for part in parts {
                bytes.writeBytes(part)
                try frontend.receive(&bytes, into: &events)
            }
            return Outcome(events: events, failure: nil)
        } catch {
            return Outcome(events: events, failure: error.reason)
        }
    }

    struct Outcome: Equatable {
        let events: [SessionEvent]
        let failure: CloseReason?
    }

    static func reply(_ bytes: [UInt8]) -> SessionEvent { .reply(ByteBuffer(bytes: bytes)) }
}
