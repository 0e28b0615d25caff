import ArgumentParser
import DTXCore
import DTXEngine

/// `dtx push`: from here to somewhere.
struct PushCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "push",
    abstract: "Move datasets from this machine to another place.",
    usage: "dtx push [<options>] <source> ... <destination>",
    discussion: """
      A source with a trailing slash stands for its contents, as with rsync. Run the same command \
      again to resume a transfer that broke off.

      Examples:
        dtx push /data/run7/ archive:/mnt/run7
        dtx push --rate 10G --lanes 2 a.fits b.fits me@archive:incoming
      """
  )

  @Argument(
    help: ArgumentHelp(
      "The sources, and last the destination: a path or [user@]host:path.",
      valueName: "path"
    ),
    completion: .file(),
    transform: ArgumentValue.endpoint
  )
  var places: [Endpoint] = []

  @OptionGroup var transfer: TransferArguments

  var isJSON: Bool { transfer.output.json }

  func validate() throws {
    if transfer.dataset.sourceNull != nil {
      guard places.count == 1 else {
        throw ValidationError("--source-null is the source: push takes the destination alone")
      }
      return
    }
    guard places.count >= 2 else {
      throw ValidationError("push takes at least one source and a destination")
    }
    if places.dropLast().contains(where: { $0.host != nil }) {
      throw ValidationError("the sources of a push are on this machine: use pull for one elsewhere")
    }
  }

  func run() throws {
    try transfer.run(.push, from: Array(places.dropLast()), to: places[places.count - 1])
  }
}
