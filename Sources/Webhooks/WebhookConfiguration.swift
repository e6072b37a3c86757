import Common

/// Where events go, and how.
package struct WebhookConfiguration: Sendable {
    package var address: WebhookAddress
    package var secret: String
    package var allowsPrivate = false
    package var rules = WebhookFlow.Rules()
    package var timeout: Duration = .seconds(10)
    package var connectTimeout: Duration = .seconds(5)
    package var answerBytesMax = 64 << 10
    /// How long a stopping process goes on calling for what is left.
    package var flushMax: Duration = .seconds(5)

    package init(address: WebhookAddress, secret: String) {
        self.address = address
        self.secret = secret
    }

    /// - Parameter key: of the URL, for messages.
    /// - Throws: `configuration_invalid` when the URL cannot be called or may not be.
    package init(
        url: String, key: String, secret: String, allowsPrivate: Bool, limits: Limits
    ) throws(WindfireError) {
        self.init(address: try WebhookAddress(url, key: key, allowsPrivate: allowsPrivate), secret: secret)
        self.allowsPrivate = allowsPrivate
        rules = WebhookFlow.Rules(limits)
        timeout = limits.webhookTimeout
        connectTimeout = min(connectTimeout, timeout)
        answerBytesMax = limits.webhookAnswerBytesMax
    }
}
