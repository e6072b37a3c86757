/// How long a token may be valid. One range for the configuration key, its documentation and the auth service.
package enum TokenLife {
    /// Below 30 s a token can end before its device has connected, within the clock skew of the machines. Above a day
    /// a stolen token, and the key that signed it, stay good for too long.
    package static let range: ClosedRange<Duration> = .seconds(30) ... .seconds(86_400)
}
