/// Another tool that moves data, with the servers that it needs.
protocol Peer: SendableMetatype {
  /// Programs without which it cannot run.
  static var programs: [String] { get }

  /// Starts its servers.
  init(_ arena: Arena) throws(HarnessError)

  /// The ways in which it takes part; none where it has nothing to offer.
  func contestants(_ race: Race) -> [Contestant]
}

/// The peers that are installed, and why others are not there.
package struct Peers {
  private let peers: [any Peer]
  /// A line for each that cannot take part.
  package private(set) var absent: [String] = []

  private static let all: [any Peer.Type] = [
    RsyncDaemon.self, Globus.self, Ftp.self, XRootD.self, WebDAV.self, Netcat.self, Copy.self,
    RsyncOverShell.self, Scp.self, Mscp.self, TarOverShell.self, RcloneSftp.self, LftpSftp.self,
  ]

  package init(_ arena: Arena) {
    var peers: [any Peer] = []
    for type in Peers.all {
      let missing = type.programs.filter { Spawning.find($0) == nil }
      guard missing.isEmpty else {
        absent.append("\(missing.joined(separator: ", ")): not installed")
        continue
      }
      do throws(HarnessError) {
        peers.append(try type.init(arena))
      } catch {
        absent.append("\(type.programs.joined(separator: ", ")): \(error)")
      }
    }
    self.peers = peers
  }

  package func contestants(_ race: Race) -> [Contestant] {
    peers.flatMap { $0.contestants(race) }
  }
}
