internal import DTXCore
internal import DTXLinux

/// What both engines need of a transfer once the handshake is over.
struct SessionSetup: Sendable {
  var options: TransferOptions
  /// The sources or the destination at this end, as they were given.
  var paths: [[UInt8]]
  var cipher: Cipher
  var settlement: LaneSettlement
  /// What this end sets on each lane's connections; empty where none is a connection of its own.
  var tunings: [LaneTuning]
  var isInitiator: Bool
  /// Whether the peer is kept below a directory: nothing is written for it anywhere else.
  var isConfined = false
  var channel: ControlChannel
  var secret: SessionSecret
  /// Whether the initiator listens for lanes, and the responder dials.
  var initiatorListens = false
  /// Where connections arrive at the end that listens; empty at the other.
  var inlet = LaneInlet()
  /// At the end that dials, unless the lane goes through the control channel.
  var dialling: LaneDialling?
  var watch: @Sendable (TransferEvent) -> Void

  var inputs: PlanInputs { settlement.inputs }

  /// Whether this end opens the lanes' connections.
  ///
  /// Through the control channel the initiator always does: nobody listens there.
  var dials: Bool { isInitiator != (initiatorListens && !settlement.usesControlChannel) }

  /// Whether this end's user is shown what changes.
  var listsEntries: Bool { isInitiator && options.listsChanges }
}
