/// What this program is called and which release it is.
package enum Release {
  package static let version = "0.1.0"
  package static let implementation = "dtx \(version)"
}
