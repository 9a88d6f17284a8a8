/** The parts of the audit log that need Node: files. */
export { fileSink, type FileSinkOptions } from './file-sink.ts';
export { readAuditFile, type ReadAuditFileOptions } from './read-file.ts';
