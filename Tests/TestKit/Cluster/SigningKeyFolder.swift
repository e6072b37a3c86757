/// The folder of signing keys that all auth servers of a cluster share, with one key in it, made as the manual says.
package enum SigningKeyFolder {
    /// - Returns: the folder's path.
    package static func make(in folder: TemporaryFolder) async throws -> String {
        let keys = try folder.write("", to: "keys/.made").dropLast("/.made".count)
        let openssl = try ChildProcess(
            "openssl",
            [
                "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "\(keys)/key-1.pem",
            ], logPath: folder.path("openssl.log"))
        guard await openssl.waitForExit() == .code(0) else {
            throw ChildProcessFailure("openssl made no key: \(openssl.output)")
        }
        return String(keys)
    }
}
