package enum LocalStoreStub {}
