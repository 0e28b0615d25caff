import ArgumentParser
import DTXCore
import DTXEngine

/// `dtx pull`: from somewhere to here.
struct PullCommand: ParsableCommand, JSONReporting {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Move a dataset from another place to this machine.",
    usage: "dtx pull [<options>] <source> <destination>",
    discussion: """
      A source with a trailing slash stands for its contents, as with rsync. Run the same command \
      again to resume a transfer that broke off.

      Examples:
        dtx pull archive:/mnt/run7/ /data/run7
        dtx pull -e 'ssh -p 2222' me@archive:incoming/a.fits .
      """
  )

  @Argument(
    help: "Where the dataset is: a path or [user@]host:path.",
    completion: .file(),
    transform: ArgumentValue.endpoint
  )
  var source: Endpoint

  @Argument(
    help: "Where it shall be, on this machine.",
    completion: .directory,
    transform: ArgumentValue.endpoint
  )
  var destination: Endpoint

  @OptionGroup var transfer: TransferArguments

  var isJSON: Bool { transfer.output.json }

  func validate() throws {
    if destination.host != nil {
      throw ValidationError("the destination of a pull is on this machine: use push for another")
    }
    if transfer.dataset.sourceNull != nil, source.path != Array(".".utf8) {
      throw ValidationError("--source-null is the source: give the host alone, as host:")
    }
  }

  func run() throws {
    try transfer.run(.pull, from: [source], to: destination)
  }
}
