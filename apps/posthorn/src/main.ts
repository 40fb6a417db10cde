process.stdout.write(JSON.stringify(process.argv)+process.version+'\n')
