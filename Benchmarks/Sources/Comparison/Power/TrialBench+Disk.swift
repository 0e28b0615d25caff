// Devices and mounts of a trial of power.
extension TrialBench {
  /// Puts a loop device on a file.
  func attach(_ path: String) throws(HarnessError) -> String {
    try tool(["losetup", "--find", "--show", path])
  }

  func detach(_ device: String) {
    _ = try? run(["losetup", "--detach", device])
  }

  /// Mounts a device; what its journal holds is done now.
  func mount(_ device: String, _ fileSystem: PowerFileSystem) -> Bool {
    (try? run(["mount", "-t", fileSystem.rawValue, device, place("mount")])) == 0
  }

  func unmount() {
    _ = try? run(["umount", place("mount")])
  }
}
