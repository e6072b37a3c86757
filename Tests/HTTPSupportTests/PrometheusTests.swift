import CoreMetrics
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HTTPSupport

@Suite struct PrometheusTests {
    @Test func thePageFollowsTheFormat() async {
        let registry = PrometheusRegistry()
        registry.counter("b_total", help: "Things\nthat \\ happened.", labels: ["kind": "x"]).increment(by: 3)
        registry.counter("b_total", labels: ["kind": "a\"b\\c\nd"]).increment()
        registry.gauge("a_gauge", help: "A value.").set(1.5)
        registry.collect("c_read") { [.init(["node": "n1"], 7), .init(["node": "n2"], .infinity)] }
        let histogram = registry.histogram("d_seconds", labels: ["path": "/x"], bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 2.0] { histogram.record(value) }
        #expect(
            await registry.exposition() == #"""
                # HELP a_gauge A value.
                # TYPE a_gauge gauge
                a_gauge 1.5
                # HELP b_total Things\nthat \\ happened.
                # TYPE b_total counter
                b_total{kind="a\"b\\c\nd"} 1
                b_total{kind="x"} 3
                # TYPE c_read gauge
                c_read{node="n1"} 7
                c_read{node="n2"} +Inf
                # TYPE d_seconds histogram
                d_seconds_bucket{path="/x",le="0.1"} 2
                d_seconds_bucket{path="/x",le="1"} 3
                d_seconds_bucket{path="/x",le="+Inf"} 4
                d_seconds_sum{path="/x"} 2.65
                d_seconds_count{path="/x"} 4

                """#)
    }

    @Test func theSameNameAndLabelsAreTheSameInstrument() {
        let registry = PrometheusRegistry()
        let one = registry.counter("x_total", labels: ["a": "1", "b": "2"])
        let two = registry.counter("x_total", labels: ["b": "2", "a": "1"])
        #expect(one === two)
        #expect(registry.counter("x_total", labels: ["a": "1"]) !== one)
    }

    @Test func incrementsFromManyThreadsAreAllCounted() async {
        let registry = PrometheusRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        registry.counter("n_total").increment()
                        registry.counter("f_total").increment(by: 0.5)
                        registry.histogram("h").record(0.01)
                    }
                }
            }
        }
        #expect(registry.counter("n_total").value == 8_000)
        #expect(registry.counter("f_total").value == 4_000)
        #expect(registry.histogram("h").snapshot.count == 8_000)
    }

    @Test func aLabelWithEndlessValuesIsBounded() async {
        let registry = PrometheusRegistry()
        for place in 0..<3_000 { registry.counter("x_total", labels: ["user": "\(place)"]).increment() }
        let lines = await registry.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == PrometheusRegistry.seriesPerNameMax + 1)
        #expect(lines.contains("x_total{overflow=\"true\"} 2000"))
    }

    @Test func aNameInUseForAnotherKindIsHarmless() async {
        let registry = PrometheusRegistry()
        registry.counter("x").increment()
        registry.gauge("x").set(5)
        #expect(await registry.exposition() == "# TYPE x counter\nx 1\n")
    }

    @Test func namesAreMadeValid() {
        #expect(PrometheusText.metricName("hb.requests-total:a") == "hb_requests_total:a")
        #expect(PrometheusText.labelName("9a:b") == "_9a_b")
        #expect(PrometheusText.metricName("") == "_")
        #expect(PrometheusText.number(.nan) == "NaN")
        #expect(PrometheusText.number(-.infinity) == "-Inf")
        #expect(PrometheusText.number(1e21) == "1e+21")
    }

    @Test func swiftMetricsLandsOnTheSamePage() async {
        let registry = PrometheusRegistry()
        Counter(label: "lib.calls", dimensions: [("kind", "a")], factory: registry).increment(by: 2)
        Timer(label: "lib.time", factory: registry).recordMilliseconds(20)
        Gauge(label: "lib.size", factory: registry).record(4)
        Meter(label: "lib.level", factory: registry).increment(by: 3)
        let page = await registry.exposition()
        #expect(page.contains("lib_calls{kind=\"a\"} 2\n"))
        #expect(page.contains("lib_time_bucket{le=\"0.025\"} 1\n"))
        #expect(page.contains("lib_time_bucket{le=\"0.01\"} 0\n"))
        #expect(page.contains("lib_size 4\n"))
        #expect(page.contains("lib_level 3\n"))
    }

    @Test func requestsAreCountedByRouteAndNotByAddress() async throws {
        let registry = PrometheusRegistry()
        try await FaceFixture.application(metrics: registry).application.test(.router) { client in
            for path in ["/trace", "/trace?x=1", "/nothing/1", "/nothing/2", "/busy"] {
                _ = try await client.execute(uri: path, method: .get)
            }
            try await client.execute(uri: "/metrics", method: .get) { answer in
                #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let page = String(buffer: answer.body)
                #expect(page.contains(#"windfire_http_requests_total{method="GET",path="/trace",status="200"} 2"#))
                #expect(page.contains(#"windfire_http_requests_total{method="GET",path="/busy",status="503"} 1"#))
                #expect(page.contains(#"windfire_http_requests_total{method="GET",path="NotFound",status="404"} 2"#))
                #expect(page.contains(#"windfire_http_request_seconds_count{path="/trace"} 2"#))
            }
        }
    }
}
