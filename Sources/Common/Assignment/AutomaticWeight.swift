/// How much of its weight a node keeps as it gets busy: 1 while it is at ease, falling in a line to `floor` as its
/// pressure goes from `ease` to 1.
///
/// The loop weight → new clients → load → weight has a delay of seconds, and a prompt controller would swing: everybody
/// to the idle node, then everybody away. Three dampers prevent that: pressure is averaged over about five reports
/// (10 s), the factor moves at most `stepMax` per report, and changes below `deadband` are not made at all. And what it
/// steers is only where *new* clients go; nobody is moved.
package struct AutomaticWeight: Hashable, Sendable {
    package struct Configuration: Hashable, Sendable {
        /// Pressure below which a node keeps all of its weight.
        package var ease = 0.6
        /// What is left at full pressure: above zero, so that a busy node is still somebody's last choice.
        package var floor = 0.1
        /// Share of a new report in the average.
        package var smoothing = 0.2
        package var stepMax = 0.1
        package var deadband = 0.02
        /// Loop lag that counts as full pressure: heartbeats and deliveries are then late enough to be felt.
        package var lagMillisecondsMax = 250.0

        package init() {}
    }

    /// The share of the configured weight that is in effect.
    package private(set) var factor = 1.0
    private var average: Double?

    package init() {}

    /// Takes one report in. The same report must not be taken twice.
    package mutating func report(pressure: Double, _ configuration: Configuration = .init()) {
        let pressure = pressure.isFinite ? min(max(pressure, 0), 1) : 1
        let average = average.map { $0 + configuration.smoothing * (pressure - $0) } ?? pressure
        self.average = average
        let excess = max(0, average - configuration.ease) / (1 - configuration.ease)
        let target = 1 - excess * (1 - configuration.floor)
        let change = target - factor
        guard abs(change) >= configuration.deadband else { return }
        factor += min(max(change, -configuration.stepMax), configuration.stepMax)
    }

    /// The worst of fullness, CPU and lateness, 0…1 and above.
    package static func pressure(
        online: Int, capacity: Int, cpu: Double, loopLagMilliseconds: Double, _ configuration: Configuration = .init()
    ) -> Double {
        let fullness = capacity > 0 ? Double(online) / Double(capacity) : 1
        return max(fullness, cpu, loopLagMilliseconds / configuration.lagMillisecondsMax)
    }
}
