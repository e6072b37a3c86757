import Common
import Logging
import PushClient
import ServiceLifecycle

/// Devices that behave as devices do: they connect, acknowledge what they get, drop now and then, and come back. Each
/// is the client library, with a token of its own.
struct Simulation: Service {
    let devices: Int
    let auth: String
    let secret: String
    let logger: Logger
    /// Returns when the system takes devices.
    let ready: @Sendable () async -> Void

    /// Devices that connect per second: quick to watch, and no storm.
    private static let connectsPerSecond = 400
    /// A device drops about this often.
    private static let dropEvery: ClosedRange<Double> = 120...600

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await ready()
            await withTaskGroup(of: Void.self) { group in
                for number in 1...devices {
                    group.addTask { await live("sim-\(number)") }
                    try? await Task.sleep(for: .seconds(1) / Self.connectsPerSecond)
                }
            }
        }
    }

    private func live(_ client: String) async {
        while !Task.isCancelled {
            let device = PushClient(
                configuration: .init(login: .secret(service: auth, client: client, device: "default", secret: secret)))
            await device.start()
            let dropping = Task {
                try? await Task.sleep(for: .seconds(.random(in: Self.dropEvery)))
                await device.close()
            }
            await withTaskCancellationHandler {
                for await message in device.messages { await device.acknowledge(message) }
            } onCancel: {
                Task { await device.close() }
            }
            dropping.cancel()
            try? await Task.sleep(for: .seconds(.random(in: 1...5)))
        }
    }
}
