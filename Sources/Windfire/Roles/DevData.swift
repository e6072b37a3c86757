import Common
import Foundation
import SQLiteJobStore

/// What `dev` keeps on the disk: jobs and stored messages in a folder that outlives it, or jobs alone in a folder of
/// its own that goes with it.
struct DevData {
    let jobs: any JobStore
    /// Nil when stored messages go with the process.
    let journal: SQLiteInboxJournal?
    /// To be removed at the end; nil for a folder that stays.
    private let temporary: URL?

    /// - Parameter folder: made when missing; nil for a temporary one.
    /// - Throws: `jobs_unavailable` when the folder or the file of the jobs cannot be made or read;
    ///   `jobs_schema_unknown`; `routes_unavailable` for the file of the inboxes.
    init(in folder: String?) throws(WindfireError) {
        let url =
            folder.map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? FileManager.default.temporaryDirectory.appending(path: "windfire-dev-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw WindfireError(.jobsUnavailable, "\(url.path): the folder cannot be made", cause: error)
        }
        temporary = folder == nil ? url : nil
        jobs = try Engines.jobFile(url.appending(path: "jobs.sqlite").path)
        journal = folder == nil ? nil : try SQLiteInboxJournal(path: url.appending(path: "inboxes.sqlite").path)
    }

    func close() async {
        await jobs.close()
        await journal?.close()
        if let temporary { try? FileManager.default.removeItem(at: temporary) }
    }
}
