import CoreMetrics

/// The registry as a swift-metrics backend, so that libraries' own metrics appear on the same page:
/// `MetricsSystem.bootstrap(registry)`, once per process, in the executable.
extension PrometheusRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, labels: PrometheusLabels(dimensions))
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, labels: PrometheusLabels(dimensions))
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, labels: PrometheusLabels(dimensions))
    }

    /// A recorder that does not aggregate is a gauge.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            histogram(label, labels: PrometheusLabels(dimensions), bounds: Self.sizeBounds)
        } else {
            gauge(label, labels: PrometheusLabels(dimensions))
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, labels: PrometheusLabels(dimensions), bounds: Self.timeBounds)
    }

    // Series stay until the process ends: a counter that vanishes and comes back looks like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
