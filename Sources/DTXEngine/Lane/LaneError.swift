internal import DTXCore
package import DTXLinux

/// Why a connection did not become a lane's.
package enum LaneError: Error, Equatable, Sendable {
  /// A system call failed.
  case system(SystemError)
  /// A host has no address.
  case unresolved(ResolveError)
  /// The other end did not do its part of the opening in time.
  case timedOut
  /// The other end closed the connection before it had proven itself. This is all that a responder
  /// says to whom it refuses.
  case closed
  /// What came is no proof of the session's secret.
  case unproven(Flaw)
  /// The initiator proved itself and asked for another cipher than was agreed.
  case otherCipher(offered: UInt8)
  /// The initiator proved itself, but its connection's number has been used, or nobody expects its
  /// lane.
  case refused(LaneIdentity)
  /// An address to listen on, or to expect connections from, is not written in digits.
  case invalidAddress(String)
  /// None of the addresses that were tried led to a proof.
  case unreachable([DialFailure])

  /// The part of a message that is not as it must be.
  package enum Flaw: String, Sendable {
    case magic = "it does not begin as a lane does"
    case padding = "bytes that must be zero are not"
    case session = "it belongs to another session"
    case code = "its authentication code is wrong"
  }
}

/// An address that was dialled in vain.
package struct DialFailure: Equatable, Sendable {
  /// The host as it was given, or its address and port once known.
  package var candidate: String
  package var error: LaneError
}

extension LaneError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system(let error): error.description
    case .unresolved(let error): error.description
    case .timedOut: "the other end did not prove itself in time"
    case .closed: "the other end closed the connection before it had proven itself"
    case .unproven(let flaw): "the other end did not prove itself: \(flaw.rawValue)"
    case .otherCipher(let offered):
      "the other end asks for cipher \(Cipher(rawValue: offered)?.name ?? "\(offered)")"
    case .refused(let identity): "\(identity) is not expected, or not any more"
    case .invalidAddress(let text): "\(printable(Array(text.utf8))) is no address in digits"
    case .unreachable(let failures):
      failures.isEmpty
        ? "there is no address to dial"
        : failures.map { "\($0.candidate): \($0.error)" }.joined(separator: "; ")
    }
  }
}
