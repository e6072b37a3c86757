import Common
import Foundation
import SQLiteJobStore

/// Where `dev` keeps its jobs: in a folder that outlives it, or in one of its own that goes with it.
struct DevJobs {
    let store: any JobStore
    /// To be removed at the end; nil for a folder that stays.
    private let temporary: URL?

    /// - Parameter folder: made when missing; nil for a temporary one.
    /// - Throws: `jobs_unavailable` when the folder or the file cannot be made or read; `jobs_schema_unknown`.
    init(in folder: String?) throws(WindfireError) {
        let url =
            folder.map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? FileManager.default.temporaryDirectory.appending(path: "windfire-dev-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw JobFailure.unavailable("has no folder: it cannot be made", retryAfter: nil, cause: error)
        }
        temporary = folder == nil ? url : nil
        store = try SQLiteJobStore(.init(path: url.appending(path: "jobs.sqlite").path))
    }

    func close() async {
        await store.close()
        if let temporary { try? FileManager.default.removeItem(at: temporary) }
    }
}
