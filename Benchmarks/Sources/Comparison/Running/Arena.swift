internal import Glibc

/// The directory that a comparison works in; everything in it is the comparison's own.
package final class Arena {
  package let root: String
  /// The sshd, once a peer has asked for one.
  var shellServer: ShellServer?

  /// Where datasets are made.
  package var sources: String { "\(root)/from" }
  /// What servers serve: the copies go here.
  package var targets: String { "\(root)/to" }
  /// Configurations, keys and logs.
  package var state: String { "\(root)/state" }

  /// Makes the directories, and removes what an earlier comparison left there.
  ///
  /// - Parameter work: a directory of the file system to measure on.
  /// - Throws: when it cannot be written to.
  package init(in work: String) throws(HarnessError) {
    root = "\(work)/dtx-compare"
    MachineFile.remove(root)
    for path in [root, sources, targets, state] { try MachineFile.makeDirectory(path) }
    // Some servers will not run as root.
    chmod(targets, 0o777)
  }

  deinit {
    shellServer = nil
    MachineFile.remove(root)
  }

  /// Writes a file that only a server or a client reads, and says where it is.
  func stateFile(_ name: String, _ text: String) throws(HarnessError) -> String {
    let path = "\(state)/\(name)"
    try MachineFile.write(text, to: path)
    return path
  }
}
