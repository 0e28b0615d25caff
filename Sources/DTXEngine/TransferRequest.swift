package import DTXCore
internal import DTXLinux

/// An end of a transfer, as its user sees it.
package enum ListeningEnd: String, Sendable, CaseIterable {
  /// Where the command was run.
  case local
  /// The far end.
  case remote
}

/// What a user asked for, as `dtx push` and `dtx pull` understood it.
package struct TransferRequest: Sendable {
  package var direction: Direction
  /// For a push local paths; for a pull exactly one.
  package var sources: [Endpoint]
  package var destination: Endpoint
  package var options = TransferOptions()
  /// What is done about source files that change while they are read.
  package var changePolicy: ChangePolicy = .skip
  package var lanes: [LaneDescription]
  /// When it was asked for; it may have waited for its turn since.
  package var asked = WallInstant.now()
  /// When it has to be done: what cannot be done by then is not begun.
  package var deadline: Deadline?
  /// Nil: encrypted, but for a local destination, which no network lies before.
  package var cipher: Cipher?
  /// The remote shell and its arguments: `ssh -p 2222`.
  package var remoteShell: [String] = ["ssh"]
  /// The program to start at the far end.
  package var remoteProgram = "dtx"
  /// Which end listens for lanes; the other one dials.
  package var listening: ListeningEnd = .remote
  /// Ports that the end that listens may have; 0 means any.
  package var ports: ClosedRange<UInt16> = 0...0
  /// Where lanes are dialled, instead of where ssh leads to or comes from.
  package var laneHost: String?
  /// One lane through ssh is allowed although a rate was promised.
  package var allowsLanesThroughShell = false
  /// Copies this program to the far end when it has none, or another version.
  package var bootstraps = false
  /// Where journals and manifests are kept instead of under the destination.
  package var stateDirectory: [UInt8]?

  /// What of the destination's files is wrong: then nothing else is taken.
  var repair: RepairOrder?

  /// Whether a lane goes another way than one of which nothing is said.
  var lanesHaveAddresses: Bool { lanes.contains { $0.route.hasAddresses } }

  /// What people call the transfer: `push /data/ archive:/mnt/run7`.
  var title: String {
    let places = (sources + [destination]).map { place in
      (place.host.map { "\(printable(Array($0.utf8))):" } ?? "") + printable(place.path)
    }
    return "\(direction == .push ? "push" : "pull") \(places.joined(separator: " "))"
  }

  package init(
    direction: Direction,
    sources: [Endpoint],
    destination: Endpoint,
    lanes: [LaneDescription]
  ) {
    self.direction = direction
    self.sources = sources
    self.destination = destination
    self.lanes = lanes
  }
}
