/** Stands for the address of the API where it is not known. */
export const exampleApi = 'https://api.example.com'
