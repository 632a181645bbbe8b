package enum SyncProtocolStub {}
