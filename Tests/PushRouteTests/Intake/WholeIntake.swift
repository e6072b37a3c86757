import Common
import TestKit

@testable import PushRoute

/// A body read to its end, cut where the test says.
struct WholeIntake: Equatable {
    let parameters: PushParameters
    /// Over all chunks and the rest, in order.
    let targets: [ClientID]
    let chunkSizes: [Int]
    let badLines: BadLines?

    /// - Parameter cuts: rising places in the body at which a new piece begins.
    init(_ body: [UInt8], _ form: PushIntake.Form, cuts: [Int] = [], limits: Limits = .default) throws {
        var intake = PushIntake(form, limits: limits)
        var targets: [ClientID] = []
        var sizes: [Int] = []
        for (start, end) in zip([0] + cuts, cuts + [body.count]) {
            // In memory of its own, so that reading beyond a piece is noticed.
            try Array(body[start..<end]).withUnsafeBytes { try intake.feed($0) }
            for chunk in intake.takeChunks() {
                targets += chunk
                sizes.append(chunk.count)
            }
        }
        let end = try intake.finish()
        parameters = end.parameters
        self.targets = targets + end.rest
        chunkSizes = sizes
        badLines = end.badLines
        precondition(end.total == self.targets.count, "the total is that of all chunks")
    }

    static func outcome(
        _ body: [UInt8], _ form: PushIntake.Form, cuts: [Int] = [], limits: Limits = .default
    ) -> Result<WholeIntake, WindfireError> {
        do {
            return .success(try WholeIntake(body, form, cuts: cuts, limits: limits))
        } catch let error as WindfireError {
            return .failure(error)
        } catch {
            return .failure(WindfireError(.internalError, "\(error)"))
        }
    }
}
