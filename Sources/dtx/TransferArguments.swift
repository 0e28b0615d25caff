import ArgumentParser
import DTXCore
import DTXEngine
import DTXLinux

/// All options that `push` and `pull` have in common.
struct TransferArguments: ParsableArguments {
  @OptionGroup(title: "Transfer") var dataset: DatasetArguments
  @OptionGroup(title: "Which Entries") var filters: FilterArguments
  @OptionGroup(title: "Lanes") var lanes: LaneArguments
  @OptionGroup(title: "Capacity") var capacity: CapacityArguments
  @OptionGroup(title: "Far End") var farEnd: FarEndArguments
  @OptionGroup(title: "Output") var output: TransferOutputArguments

  func validate() throws {
    if dataset.sourceNull != nil, !filters.isEmpty {
      throw ValidationError("filters choose entries of a source, and --source-null has none")
    }
  }

  /// Runs the transfer between places that were checked.
  func run(_ direction: Direction, from sources: [Endpoint], to destination: Endpoint) throws {
    let request = try request(direction, from: sources, to: destination)
    try TransferRun(request: request, output: output, capacity: capacity).run()
  }

  /// What the engine is asked for.
  func request(
    _ direction: Direction,
    from sources: [Endpoint],
    to destination: Endpoint
  ) throws(TransferError) -> TransferRequest {
    let isLocal = destination.host == nil && sources.allSatisfy { $0.host == nil }
    var request = TransferRequest(
      direction: direction,
      sources: sources,
      destination: destination,
      lanes: lanes.chosen(isLocal: isLocal)
    )
    request.deadline = lanes.deadline
    request.options.isDryRun = dataset.dryRun
    request.options.comparesDigests = dataset.checksum
    request.options.blockByteCount = dataset.blockSize ?? Limits.defaultBlockByteCount
    request.options.verification = dataset.verify ?? .durable
    request.options.preservesOwner = dataset.owner ?? true
    request.options.storage = dataset.io ?? .automatic
    request.options.compression = dataset.compress ?? .auto
    request.options.filters = try filters.rules()
    request.options.nullSource = dataset.sourceNull
    request.options.keepsNothing = dataset.sinkNull
    request.changePolicy = dataset.onChange ?? .skip
    request.stateDirectory = dataset.stateDir
    request.cipher = lanes.cipher
    request.ports = lanes.ports ?? request.ports
    request.listening = lanes.listen ?? request.listening
    request.laneHost = lanes.laneHost
    request.allowsLanesThroughShell = lanes.allowSshLanes
    request.remoteShell = farEnd.remoteShell ?? request.remoteShell
    request.remoteProgram = farEnd.remoteProgram ?? request.remoteProgram
    request.bootstraps = farEnd.bootstrap
    return request
  }
}

/// The options that say how a dataset is moved.
struct DatasetArguments: ParsableArguments {
  @Flag(
    name: [.customShort("n"), .long],
    help: "Compare and plan, say what would be moved, change nothing."
  )
  var dryRun = false

  // Fingers that know rsync type it.
  @Flag(name: [.customShort("a"), .customLong("archive")], help: .hidden)
  var archive = false

  @Flag(help: "Compare digests instead of trusting size and time.")
  var checksum = false

  @Option(
    help: ArgumentHelp("Size of a block, in bytes. (default: 16MiB)", valueName: "size"),
    transform: ArgumentValue.blockByteCount
  )
  var blockSize: UInt64?

  @Option(
    help: ArgumentHelp(
      "Compress blocks: auto, where it pays, off, or a level from 1 to 19. (default: auto)",
      valueName: "mode"
    ),
    transform: ArgumentValue.compression
  )
  var compress: Compression?

  @Flag(inversion: .prefixedNo, help: "Keep user and group. (default: as root alone)")
  var owner: Bool?

  @Option(
    help: ArgumentHelp(
      "How far the result is proven: memory, durable or media. (default: durable)",
      valueName: "level"
    ),
    transform: ArgumentValue.verification
  )
  var verify: VerificationLevel?

  @Option(
    help: ArgumentHelp(
      "When a source file changes: fail, retry or skip. (default: skip)",
      valueName: "policy"
    ),
    transform: ArgumentValue.changePolicy
  )
  var onChange: ChangePolicy?

  @Option(
    help: ArgumentHelp(
      "How large files are read and written: auto, buffered, direct or ring. (default: auto)",
      valueName: "mode"
    ),
    transform: ArgumentValue.storage
  )
  var io: StorageMode?

  @Option(
    help: ArgumentHelp(
      "Send a made-up dataset of this size instead of a source.",
      valueName: "size"
    ),
    transform: ArgumentValue.nullSource
  )
  var sourceNull: NullDataset?

  @Flag(help: "Receive and check everything, and keep nothing of it.")
  var sinkNull = false

  @Option(
    help: ArgumentHelp("Keep state here instead of in the destination's .dtx.", valueName: "dir"),
    completion: .directory,
    transform: ArgumentValue.path
  )
  var stateDir: [UInt8]?

  func validate() throws {
    if sourceNull != nil, checksum {
      throw ValidationError("--checksum reads a source, and --source-null has none")
    }
    guard sinkNull else { return }
    if dryRun {
      throw ValidationError("a dry run moves nothing that --sink-null could drop: give one of them")
    }
    if checksum {
      throw ValidationError("--checksum reads what is there, and --sink-null looks at nothing")
    }
    if verify != nil {
      throw ValidationError("--sink-null keeps nothing that --verify could prove")
    }
    if stateDir != nil {
      throw ValidationError("--sink-null keeps nothing, and no state for --state-dir")
    }
  }
}

/// The options that say how the far end is started.
struct FarEndArguments: ParsableArguments {
  @Option(
    name: [.customShort("e"), .customLong("rsh")],
    help: ArgumentHelp("Remote shell and its options: 'ssh -p 2222'.", valueName: "command"),
    transform: ArgumentValue.words
  )
  var remoteShell: [String]?

  @Option(
    name: .customLong("dtx-path"),
    help: ArgumentHelp("The program dtx at the far end.", valueName: "path"),
    transform: ArgumentValue.word
  )
  var remoteProgram: String?

  @Flag(help: "Copy this program to the far end where it has none, or another version.")
  var bootstrap = false
}

/// The options that say what a transfer prints.
struct TransferOutputArguments: ParsableArguments {
  @Flag(name: .shortAndLong, help: "List the entries that are moved, made or changed.")
  var verbose = false

  @Flag(name: .shortAndLong, help: "Print errors alone.")
  var quiet = false

  @Flag(help: "Print events and the summary as JSON lines.")
  var json = false

  func validate() throws {
    if verbose, quiet { throw ValidationError("give --verbose or --quiet, not both") }
  }
}
