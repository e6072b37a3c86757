#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many descriptors this process may hold (getrlimit(2), RLIMIT_NOFILE).
enum DescriptorLimit {
    static var current: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int.max) else { return 1024 }
        return Int(limit.rlim_cur)
    }
}
