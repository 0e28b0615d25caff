import ArgumentParser
import DTXEngine

/// `dtx serve`: the far end of a transfer, started by the other end.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Be the far end of a transfer: push and pull start this through ssh.",
    usage: "dtx serve --stdio [--root <dir>] [--read-only|--append-only] [--state-dir <dir>]",
    discussion: """
      In authorized_keys this restricts a key to fetching from one directory, or to
      adding to one:
        restrict,command="dtx serve --stdio --root /data --read-only" ssh-...
        restrict,command="dtx serve --stdio --root /archive --append-only" ssh-...
      """
  )

  @Flag(help: "Talk on the standard streams; the only way there is.")
  var stdio = false

  @Option(
    help: ArgumentHelp("Serve nothing outside this directory.", valueName: "dir"),
    completion: .directory,
    transform: ArgumentValue.path
  )
  var root: [UInt8]?

  @Flag(help: "Send, but receive nothing.")
  var readOnly = false

  @Flag(help: "Receive what is new, change nothing that is there, and send nothing.")
  var appendOnly = false

  @Option(
    help: ArgumentHelp("Keep state here instead of in the destination's .dtx.", valueName: "dir"),
    completion: .directory,
    transform: ArgumentValue.path
  )
  var stateDir: [UInt8]?

  /// Lanes go over this machine's loopback: the other end started this for a place here.
  @Flag(help: .hidden)
  var loopback = false

  func validate() throws {
    guard stdio else { throw ValidationError("serve needs --stdio") }
    if readOnly, appendOnly {
      throw ValidationError("give --read-only or --append-only, not both")
    }
  }

  func run() throws {
    let access: ServerAccess = readOnly ? .readOnly : appendOnly ? .appendOnly : .readWrite
    var server = Server()
    server.root = root
    server.access = access
    server.stateDirectory = stateDir
    server.isLoopback = loopback
    let status = server.run()
    if status != 0 { throw ExitCode(status) }
  }
}
