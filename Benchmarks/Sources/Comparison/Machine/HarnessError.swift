internal import Glibc

/// Why a measurement cannot go on.
package struct HarnessError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }

  /// A system call that failed.
  package init(_ operation: String, _ subject: String, _ number: Int32) {
    description = "\(operation) \(subject): \(String(cString: strerror(number)))"
  }
}
