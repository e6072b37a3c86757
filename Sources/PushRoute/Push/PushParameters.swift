import Common

/// What a push sends and how: all of it but the targets. A job keeps it as its specification, as the JSON object that
/// came in the request, so `init(json:)` and `json()` are each other's reverse.
package struct PushParameters: Equatable, Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// For whoever is connected now.
        case live
        /// Waits in the inbox until it is acknowledged or expires.
        case stored
    }

    /// One JSON value, the very bytes that were sent.
    package var data: [UInt8]
    package var mode: Mode
    /// How long the message is worth delivering, from the push on; nil for as long as there is.
    package var timeToLive: Duration?
    package var collapseKey: String?
    /// A second push with this key of the same caller sends nothing.
    package var dedupeKey: String?
    /// Targets a second, at most; nil for as fast as it goes. Only a job keeps to it.
    package var ratePerSecond: Int?
    /// Answer with a job, however few the targets are.
    package var isAsync: Bool

    package init(
        data: [UInt8], mode: Mode = .live, timeToLive: Duration? = nil, collapseKey: String? = nil,
        dedupeKey: String? = nil, ratePerSecond: Int? = nil, isAsync: Bool = false
    ) {
        self.data = data
        self.mode = mode
        self.timeToLive = timeToLive
        self.collapseKey = collapseKey
        self.dedupeKey = dedupeKey
        self.ratePerSecond = ratePerSecond
        self.isAsync = isAsync
    }

    /// Reads an object of the fields of `POST /v1/push` without `to`.
    /// - Throws: `invalid_json`, `invalid_request`, `not_supported` or `payload_too_large`, naming the field.
    package init(json: [UInt8], limits: Limits = .default) throws(WindfireError) {
        let result: Result<PushParameters, WindfireError> = json.withUnsafeBytes { bytes in
            do throws(WindfireError) { return .success(try PushFields.read(bytes, in: "the push", limits)) } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    package func json() -> [UInt8] {
        var writer = JSONWriter(capacity: data.count + 128)
        writer.beginObject()
        writer.key("mode")
        writer.string(mode.rawValue)
        if let timeToLive {
            writer.key("ttl_s")
            writer.integer(timeToLive.components.seconds)
        }
        if let collapseKey {
            writer.key("collapse_key")
            writer.string(collapseKey)
        }
        if let dedupeKey {
            writer.key("dedupe_key")
            writer.string(dedupeKey)
        }
        if let ratePerSecond {
            writer.key("rate_per_s")
            writer.integer(ratePerSecond)
        }
        if isAsync {
            writer.key("async")
            writer.boolean(true)
        }
        writer.key("data")
        writer.raw(data)
        writer.endObject()
        return writer.bytes
    }
}
