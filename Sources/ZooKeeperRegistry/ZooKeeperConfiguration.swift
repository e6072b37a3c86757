import Common

extension ZooKeeperRegistry {
    package struct Configuration: Sendable, Equatable {
        package var address: ZooKeeperAddress
        /// How long an entry stays after its process fell silent. The ensemble may grant another one: by default
        /// between 2 and 20 of its ticks of 2 s, so 4 s to 40 s. Shorter finds dead nodes sooner, longer rides out
        /// longer stalls.
        package var sessionTimeout: Duration
        /// See `MemberView`.
        package var holdBack: Duration
        /// How often a process looks whether its entries are there and are its own; watches tell sooner, this is in
        /// case one was lost.
        package var selfCheck: Duration
        /// How often a list is read although no watch fired, for the same reason.
        package var reread: Duration

        package init(
            address: ZooKeeperAddress, sessionTimeout: Duration = .seconds(10),
            holdBack: Duration = MemberView.defaultHoldBack, selfCheck: Duration = .seconds(10),
            reread: Duration = .seconds(60)
        ) {
            precondition(sessionTimeout >= .milliseconds(100), "A session of under 100 ms cannot be kept alive.")
            self.address = address
            self.sessionTimeout = sessionTimeout
            self.holdBack = holdBack
            self.selfCheck = selfCheck
            self.reread = reread
        }

        package init(
            hosts: [String], basePath: String = "/windfire", credentials: ZooKeeperAddress.Credentials? = nil,
            sessionTimeout: Duration = .seconds(10)
        ) {
            self.init(
                address: ZooKeeperAddress(servers: hosts, basePath: basePath, credentials: credentials),
                sessionTimeout: sessionTimeout)
        }
    }
}
