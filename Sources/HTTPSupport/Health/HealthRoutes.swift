import Common
import Hummingbird

/// One thing a role needs before it can serve, asked at each `/readyz`.
package struct ReadinessCheck: Sendable {
    package let name: String
    /// Without it nothing can be served, and a balancer should ask elsewhere. What is not essential is named beside a
    /// role that goes on without it: when all replicas share what is away, taking them all out of the balancer would
    /// make an outage of a nuisance.
    package let isEssential: Bool
    /// Nil when it is there; otherwise a sentence on what is missing.
    package let missing: @Sendable () async -> String?

    package init(_ name: String, isEssential: Bool = true, missing: @escaping @Sendable () async -> String?) {
        self.name = name
        self.isEssential = isEssential
        self.missing = missing
    }
}

extension RouterMethods where Context == HTTPContext {
    /// `/healthz`: the process runs. `/readyz`: it can serve (200, with what it lacks all the same), or 503 with what
    /// is missing, by name.
    @discardableResult
    package func addHealth(_ checks: [ReadinessCheck]) -> Self {
        get("healthz") { _, _ in Response.json(["status": "ok"]) }
        get("readyz") { _, context in
            let missing = await Self.missingParts(of: checks)
            let essential = Set(checks.filter(\.isEssential).map(\.name))
            guard missing.contains(where: { essential.contains($0.name) }) else {
                return Response.json(
                    Readiness(status: missing.isEmpty ? "ready" : "degraded", missing: missing.isEmpty ? nil : missing))
            }
            let names = missing.map(\.name).joined(separator: ", ")
            return Problem(
                .notReady, detail: "missing: \(names)", traceID: context.trace.traceID, missing: missing
            ).response(retryAfter: .seconds(1))
        }
        return self
    }

    /// Asks all at once, so that one slow answer does not add to another; reports in the order given.
    private static func missingParts(of checks: [ReadinessCheck]) async -> [Problem.MissingPart] {
        await withTaskGroup(of: (Int, Problem.MissingPart?).self) { group in
            for (place, check) in checks.enumerated() {
                group.addTask {
                    (place, await check.missing().map { Problem.MissingPart(name: check.name, detail: $0) })
                }
            }
            var answers = [Problem.MissingPart?](repeating: nil, count: checks.count)
            for await (place, part) in group { answers[place] = part }
            return answers.compactMap(\.self)
        }
    }
}

/// The answer of `/readyz` of a role that serves.
private struct Readiness: Encodable {
    /// `ready`, or `degraded` when something is missing that it can do without.
    let status: String
    let missing: [Problem.MissingPart]?
}
