package enum LogicalQueryStub {}
