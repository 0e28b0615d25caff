import Testing

/// The built program against a real sshd, real directories, and everything that may go wrong.
///
/// One test at a time: each uses as many cores as it finds. A failure of one that draws lots names
/// its seed, which `DTX_TEST_SEED` sets again.
@Suite(.serialized) struct EndToEndTests {}
