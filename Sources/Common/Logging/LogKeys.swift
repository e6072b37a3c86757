import Logging

// The metadata keys of every log line. Messages are constant strings; what varies goes here.
extension Logger.Metadata {
    package enum Key {
        package static let traceID = "trace_id"
        package static let client = "client"
        package static let device = "device"
        package static let session = "session"
        package static let node = "node"
        package static let incarnation = "incarnation"
        package static let job = "job"
        package static let reason = "reason"
        package static let error = "error"
        package static let address = "address"
        package static let count = "count"
        package static let role = "role"
        package static let duration = "duration_ms"
    }
}
