/// `webhooks.…`: who is told when nobody is there, and when clients come and go.
package struct WebhookKeys: ConfigurationKeySection {
    package let offlineURL = ConfigurationKey(
        "webhooks.offline-url", optional: .url(["http", "https"]), usedBy: [.pushRoute],
        "Is told of every target of a push that had no connection, so that APNs, FCM or mail can take over.")
    package let presenceURL = ConfigurationKey(
        "webhooks.presence-url", optional: .url(["http", "https"]), usedBy: [.pushServer],
        "Is told when devices of clients come and go.")
    package let secret = ConfigurationKey(
        "webhooks.secret", optional: .text, usedBy: [.pushServer, .pushRoute], isSecret: true,
        "Signs every call to a webhook. At least 16 characters outside `dev`.")
    package let allowPrivate = ConfigurationKey(
        "webhooks.allow-private", .boolean, default: "false", usedBy: [.pushServer, .pushRoute],
        "Webhooks may be at private and loopback addresses.")
    package let settle = ConfigurationKey(
        "webhooks.settle", .duration(.milliseconds(100) ... .seconds(60)), default: "1s", usedBy: [.pushServer],
        "How long coming and going is held back, so that a quick reconnect is not told as an end.")
}
