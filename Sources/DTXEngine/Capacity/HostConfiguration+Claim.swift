package import DTXCore
internal import DTXLinux

/// What became of a transfer's claim to its host's capacity.
package enum CapacityAnswer: Sendable {
  /// There is no capacity, or no rate to hold against it.
  case free(isUnrated: Bool)
  case taken(CapacityShare)
  case refused(CapacityRefusal)
}

/// Why a transfer has no share.
package enum CapacityRefusal: Equatable, Sendable {
  /// The lanes have no rate, and the capacity is strict.
  case unrated
  /// More than the host has, whoever ends.
  case tooMuch(Rate, of: Rate)
  /// Others hold the rest.
  case held(Rate, free: Rate, of: Rate, by: [CapacityClaim])
}

extension HostConfiguration {
  /// Takes a share of the capacity for a transfer.
  ///
  /// - Parameter rate: of its lanes together; nil where one has none.
  /// - Returns: the share, or why there is none.
  /// - Throws: `.failed` where shares cannot be noted.
  package func claim(_ rate: Rate?) throws(TransferError) -> CapacityAnswer {
    guard let capacity else { return .free(isUnrated: false) }
    guard let rate else { return isStrict ? .refused(.unrated) : .free(isUnrated: true) }
    guard rate <= capacity else { return .refused(.tooMuch(rate, of: capacity)) }
    guard let path = capacityDirectory.map({ Array($0.utf8) }) ?? CapacityPlace.usual else {
      throw TransferError(
        .failed,
        "this host has no directory where shares of its capacity can be noted",
        remedy: "name one with capacity-directory: see dtx-config(5); nothing was moved"
      )
    }
    switch try CapacityShare.claim(rate, of: capacity, in: path) {
    case .taken(let share): return .taken(share)
    case .refused(let free, let claims):
      return .refused(.held(rate, free: free, of: capacity, by: claims))
    }
  }
}

extension CapacityRefusal {
  /// The same as an error of three lines.
  ///
  /// - Parameters:
  ///   - host: whose capacity it is.
  ///   - time: how a time in nanoseconds since 1970 is told; by its number without it.
  /// - Returns: `.unattainable`, but `.usage` for lanes without a rate.
  package func error(
    at host: String,
    telling time: (Int64) -> String = { "\($0)" }
  ) -> TransferError {
    switch self {
    case .unrated:
      TransferError(
        .usage,
        "the capacity of \(host) is strict, and the lanes have no rate",
        cause: "what has no rate cannot be held against a capacity",
        remedy: "give --rate, --lane or --lanes-file; nothing was moved"
      )
    case .tooMuch(let rate, let capacity):
      TransferError(
        .unattainable,
        "the lanes are to have \(rate.argument), and the capacity of \(host) is "
          + capacity.argument,
        remedy: "give them less; nothing was moved"
      )
    case .held(let rate, let free, let capacity, let claims):
      TransferError(
        .unattainable,
        "the lanes are to have \(rate.argument), and \(free.argument) of the capacity of \(host), "
          + "\(capacity.argument), is free",
        cause: "the rest is held by \(CapacityRefusal.text(claims, time))",
        remedy: "give less, or wait for these: see --wait; nothing was moved"
      )
    }
  }

  /// `process 812: 25G since 2026-...`, of each holder.
  package static func text(_ claims: [CapacityClaim], _ time: (Int64) -> String) -> String {
    guard !claims.isEmpty else { return "nobody" }
    return claims.map { claim in
      "process \(claim.process): \(claim.rate.argument) since \(time(claim.since))"
    }.joined(separator: ", ")
  }
}
