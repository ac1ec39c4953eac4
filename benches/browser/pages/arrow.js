// Apache Arrow is one file here, as a bundler would make it, and not two hundred requests.
export const { Table, RecordBatchReader, RecordBatchStreamReader, AsyncByteQueue, DataType, Type, tableFromIPC, tableToIPC, tableFromArrays } = globalThis.Arrow;
